// Every screen, in the order of the navigation. Its module gives `show(place)`: see docs/console.md.

export const SCREENS = [
  { name: "overview", title: "Overview", load: () => import("./overview.js") },
  { name: "messages", title: "Messages", load: () => import("./messages.js") },
  { name: "lanes", title: "Lanes", load: () => import("./lanes.js") },
  { name: "batches", title: "Batches", load: () => import("./batches.js") },
  { name: "letters", title: "Dead letters", load: () => import("./letters.js") },
  { name: "handoffs", title: "Handoffs", load: () => import("./handoffs.js") },
  { name: "providers", title: "Providers", load: () => import("./providers.js") },
  { name: "tenants", title: "Tenants", load: () => import("./tenants.js") },
  { name: "collections", title: "Collections", load: () => import("./collections.js") },
  { name: "quality", title: "Quality", load: () => import("./quality.js") },
  { name: "alerts", title: "Alerts", load: () => import("./alerts.js") },
  { name: "audit", title: "Audit", load: () => import("./audit.js") },
];
