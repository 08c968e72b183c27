#!/bin/sh
# install_servers.sh: RabbitMQ, Redis, Postgres, pgbouncer, haproxy, nginx, Prometheus, Chromium, openssl and git for the tests, from Debian's or Ubuntu's packages.
# Installs only what is missing, only when it may, and starts nothing: the tests start their own.
set -eu

policy=/usr/sbin/policy-rc.d

say() { printf '%s\n' "$*" >&2; }

missing_packages() {
    find_program rabbitmq-server /usr/lib/rabbitmq/bin || echo rabbitmq-server
    find_program redis-server || find_program valkey-server || echo redis-server
    find_program postgres /usr/lib/postgresql/*/bin || echo postgresql
    find_program pgbouncer || echo pgbouncer
    find_program haproxy || echo haproxy
    find_program nginx || echo nginx
    find_program openssl || echo openssl
    find_program git || echo git
}

# Where one of them cannot be had, its tests are skipped by name.
missing_watchers() {
    find_program promtool || echo prometheus
    find_program chromium || echo chromium
}

# find_program NAME [FOLDER...]: whether it is in one of the folders, on the PATH or in sbin.
find_program() {
    name=$1
    shift
    for folder in "$@" /usr/sbin; do
        [ -x "$folder/$name" ] && return 0
    done
    command -v "$name" >/dev/null 2>&1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    command -v apt-get >/dev/null 2>&1 && as_root true 2>/dev/null
}

# quietly COMMAND...: its output is shown only when it fails.
quietly() {
    output=$("$@" 2>&1 </dev/null) || { say "$output"; return 1; }
}

# A package starts its service unless this file says no (101).
forbid_services() {
    if [ ! -e "$policy" ]; then
        trap 'as_root rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
}

install_packages() {
    forbid_services
    quietly as_root apt-get update -qq || say "Trying with the package lists at hand ..."
    quietly as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@"
}

packages=$(missing_packages | tr '\n' ' ')
packages=${packages% }
watchers=$(missing_watchers | tr '\n' ' ')
watchers=${watchers% }
[ -z "$packages$watchers" ] && exit 0

if ! may_install; then
    [ -n "$packages" ] || { say "Tests of $watchers are skipped: they are not installed."; exit 0; }
    say "The tests need real servers and tools: install $packages (Debian: sudo apt-get install $packages)."
    exit 1
fi
say "Installing${packages:+ $packages}${watchers:+ $watchers} for the tests (no service is started) ..."
# shellcheck disable=SC2086 # one word per package is meant
[ -z "$packages" ] || install_packages $packages

still_missing=$(missing_packages | tr '\n' ' ')
if [ -n "$still_missing" ]; then
    say "The tests still miss ${still_missing% }: install them by hand."
    exit 1
fi
for watcher in $watchers; do
    install_packages "$watcher" || say "Tests of $watcher are skipped: it cannot be installed here."
done
