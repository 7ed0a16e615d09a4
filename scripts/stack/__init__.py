"""The processes of ``deploy/compose/docker-compose.yml`` on one machine without Docker: what ``make stack`` starts."""
