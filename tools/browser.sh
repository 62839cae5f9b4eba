#!/usr/bin/env bash
# Brings what tests/reports/html/test_browser.py opens pages with: Chromium and Node.js from the system's packages, axe-core
# and playwright-core into a cache folder. Harmless to repeat; where something cannot be had, the test is passed over.
set -euo pipefail
cache="${XDG_CACHE_HOME:-$HOME/.cache}/dialfeed-browser"
have() { command -v "$1" >/dev/null; }
missing=()  # only these: a Node.js that did not come from the system's packages does not go with theirs
have node || missing+=(nodejs)
have npm || missing+=(npm)
have chromium || have chromium-browser || have google-chrome || missing+=(chromium)
if [ "${#missing[@]}" -gt 0 ]; then
  have apt-get || { echo "Chromium, Node.js and npm are needed, and there is no apt-get here."; exit 1; }
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
fi
if [ ! -d "$cache/node_modules/axe-core" ] || [ ! -d "$cache/node_modules/playwright-core" ]; then
  mkdir -p "$cache"
  npm install --prefix "$cache" --no-audit --no-fund --silent axe-core@4.14.1 playwright-core@1.65.1
fi
echo "Chromium and axe-core are there."
