// Every screen, in the order of the navigation. Its module gives `show(place)`: see docs/console.md.

export const SCREENS = [
  { name: "overview", title: "Overview", load: () => import("./overview.js") },
  { name: "providers", title: "Providers", load: () => import("./providers.js") },
  { name: "tenants", title: "Tenants", load: () => import("./tenants.js") },
  { name: "alerts", title: "Alerts", load: () => import("./alerts.js") },
  { name: "quality", title: "Quality", load: () => import("./quality.js") },
  { name: "audit", title: "Audit", load: () => import("./audit.js") },
];
