#!/bin/sh
# A new release, or changed settings, without a pause: new web processes take requests before the old ones stop. What they
# write to must suit both meanwhile, which every migration of ours does (docs/deploy.md, "Migrations"). Workers end what they
# are at, and messages wait for them.
#
#   ./release.sh            builds the images first; ./release.sh --no-build takes those that are there
set -eu
cd "$(dirname "$0")"
[ "${1:-}" = --no-build ] || docker compose build
docker compose run --rm migrate
old=$(docker compose ps --quiet web)
count=$(echo "$old" | wc -w)
if [ "$count" -eq 0 ]; then # nobody to take over from
  exec docker compose up --detach --no-build
fi
docker compose up --detach --no-build --no-deps --no-recreate --wait --scale web=$((2 * count)) web
sleep 6 # Caddy looks every five seconds for who is there
# Each ends what it was asked; whoever comes meanwhile is led to another.
docker stop --time 30 $old
docker rm $old
docker compose up --detach --no-build --scale web="$count"
