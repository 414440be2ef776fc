#!/usr/bin/env bash
# What the tests need and no Python lock brings: a Chromium, and Go with golang.org/x/mod, whose `tlog` and `note`
# packages check our log a second time, SoftHSM2, MariaDB as a customer's database, and the npm library that checks our
# receipts. PostgreSQL and OpenBao come with the development lock.
set -eu

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; }
}

updated=
install() {
    can_install || return 1
    if [ -z "$updated" ]; then as_root apt-get update -qq >/dev/null && updated=1; fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1
}

chromium() {
    if [ -n "${CHROMIUM:-}" ]; then [ -x "$CHROMIUM" ]; return; fi
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null && return 0
    done
    return 1
}

chromium || install chromium || true
chromium || { echo "The browser tests need Chromium: install the package chromium, or set CHROMIUM to its path." >&2; exit 1; }

# Without these the tests that ask for a second opinion fail and say what to install.
mod=/usr/share/gocode/src/golang.org/x/mod
if ! command -v go >/dev/null || [ ! -d "$mod" ]; then
    install golang-go golang-golang-x-mod-dev || true
fi

# An HSM in software, for the provider of root keys that speaks PKCS#11.
command -v softhsm2-util >/dev/null || install softhsm2 || true

# A customer's database: the server program alone, 45 MB, without accounts, services or clients.
command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || install mariadb-server-core || true

# A stranger's JWS library checks our receipts. The Node that runs it comes with Playwright; only npm may be missing.
oracles="$(dirname "$0")/oracles"
if [ ! -d "$oracles/node_modules" ]; then
    command -v npm >/dev/null || install npm || true
    if command -v npm >/dev/null; then npm ci --prefix "$oracles" --silent --no-audit --no-fund || true; fi
fi
