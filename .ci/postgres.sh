# Sourced by .ci/run: a throw-away PostgreSQL server for the tests, on a free loopback port, gone when the shell exits.
# Sets FOURFOLD_TEST_POSTGRES. Where a server cannot be had it says why and leaves the variable unset, and the tests
# that need it are skipped with that reason.

fourfold_postgres_bin() { # prints the folder that holds initdb and pg_ctl
    local folder
    for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) "$(dirname "$(command -v pg_ctl || echo /none/pg_ctl)")"; do
        if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then
            echo "$folder"
            return 0
        fi
    done
    return 1
}

fourfold_postgres_as() { # runs a command as the server's user: PostgreSQL refuses to run as root
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && runuser -u "$fourfold_postgres_user" -- "$@")
    else
        "$@"
    fi
}

fourfold_postgres_stop() {
    if [ -n "${fourfold_postgres_folder:-}" ]; then
        fourfold_postgres_as "$fourfold_postgres_bin/pg_ctl" -D "$fourfold_postgres_folder/data" -m immediate stop >/dev/null 2>&1 || true
        rm -rf "$fourfold_postgres_folder"
        fourfold_postgres_folder=""
    fi
}

fourfold_postgres_skip() {
    echo "no PostgreSQL, its tests are skipped: $1" >&2
    fourfold_postgres_stop
    return 0
}

fourfold_postgres_start() {
    local password port attempt
    if ! fourfold_postgres_bin=$(fourfold_postgres_bin); then
        [ "$(id -u)" -eq 0 ] || { fourfold_postgres_skip "it is not installed, and installing it takes root"; return 0; }
        command -v apt-get >/dev/null || { fourfold_postgres_skip "it is not installed, and there is no apt-get"; return 0; }
        echo "+ apt-get install postgresql" >&2
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } \
            >/dev/null 2>&1 || { fourfold_postgres_skip "apt-get could not install it"; return 0; }
        fourfold_postgres_bin=$(fourfold_postgres_bin) || { fourfold_postgres_skip "installed, but without initdb"; return 0; }
    fi
    fourfold_postgres_user=$(id -un)
    if [ "$(id -u)" -eq 0 ]; then
        command -v runuser >/dev/null || { fourfold_postgres_skip "no runuser to leave root with"; return 0; }
        fourfold_postgres_user=postgres
        id postgres >/dev/null 2>&1 || fourfold_postgres_user=nobody
    fi
    fourfold_postgres_folder=$(mktemp -d) || { fourfold_postgres_skip "no room for a temporary folder"; return 0; }
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "$password" >"$fourfold_postgres_folder/password"
    if [ "$(id -u)" -eq 0 ]; then
        chown -R "$fourfold_postgres_user" "$fourfold_postgres_folder"
    fi
    fourfold_postgres_as "$fourfold_postgres_bin/initdb" -D "$fourfold_postgres_folder/data" -U fourfold -A scram-sha-256 \
        --pwfile="$fourfold_postgres_folder/password" -E UTF8 --locale=C --no-sync >"$fourfold_postgres_folder/initdb.log" 2>&1 ||
        { fourfold_postgres_skip "initdb: $(tail -n 1 "$fourfold_postgres_folder/initdb.log")"; return 0; }
    for attempt in 1 2 3 4 5 6 7 8; do # a port that is in use only costs another try
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if fourfold_postgres_as "$fourfold_postgres_bin/pg_ctl" -D "$fourfold_postgres_folder/data" -w -t 30 \
            -l "$fourfold_postgres_folder/server.log" \
            -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off" start >/dev/null 2>&1; then
            export FOURFOLD_TEST_POSTGRES="postgresql+psycopg://fourfold:$password@127.0.0.1:$port/postgres"
            echo "PostgreSQL for the tests: $("$fourfold_postgres_bin/postgres" --version), 127.0.0.1:$port" >&2
            return 0
        fi
    done
    fourfold_postgres_skip "it did not start: $(tail -n 1 "$fourfold_postgres_folder/server.log" 2>/dev/null)"
}

if [ -n "${FOURFOLD_TEST_POSTGRES:-}" ]; then
    echo "PostgreSQL for the tests: the server that FOURFOLD_TEST_POSTGRES names" >&2
else
    trap fourfold_postgres_stop EXIT
    fourfold_postgres_start
fi
