# What a user does first, in a root where the archive lies in /try. Arguments: the Luas that are installed.
set -eu
cd /try
export LC_ALL=C

fail() {
  echo "$*" >&2
  exit 1
}

# Runs a command and looks for words in what it prints.
prints() {
  words=$1
  shift
  "$@" >printed 2>&1 || { cat printed >&2; fail "failed: $*"; }
  grep -q -- "$words" printed || { cat printed >&2; fail "does not print '$words': $*"; }
}

prints '^luasnap [0-9]' ./luasnap --version
prints '_G\.server\.sessions' ./luasnap run leak.lua

# A C module where there is no dynamic linker. What is no module is not looked at before that is said.
if [ -e static ]; then
  : >nothing.so
  printf 'package.cpath = "/try/?.so" print(pcall(require, "nothing"))' >c.lua
  prints 'this luasnap is static and loads no C modules, so not nothing' ./luasnap run --quiet c.lua
fi

for lua in "$@"; do
  prints '^path: _G\.kept$' env LUA_CPATH='/try/?.so' "$lua" -e '
    kept = {}
    local snapshot = require "snapshot"
    local file = assert(io.open("engine", "w"))
    file:write(snapshot.stats(snapshot.snapshot()).engine, "\n")
    file:close()
    print("path: " .. snapshot.path(snapshot.snapshot(), kept))'
  prints '_G\.server\.sessions' ./luasnap run --lua "$lua" leak.lua

  # Debian 11 has a LuaJIT of 2017, whose structures no table has.
  case "$lua $(cat engine)" in
    *' native') ;;
    'luajit portable') continue ;;
    *) fail "$lua is not read natively" ;;
  esac

  rm -f ready
  "$lua" held.lua ready &
  process=$!
  tries=0
  until [ -e ready ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || fail "$lua does not start"
    sleep 0.1
  done
  prints '_G\.held' ./luasnap attach "$process"
  rm ready
  wait "$process" || fail "$lua did not go on after attach"
done
