#!/bin/sh
# Run once, by the image of Postgres, on an empty volume: the site's role owns its database and may do nothing else, so that
# not even the site itself can switch off the triggers that keep its books and its log.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/postgres_password)" -U "$POSTGRES_USER" -d postgres <<'SQL'
CREATE ROLE site LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
CREATE DATABASE site OWNER site;
SQL
