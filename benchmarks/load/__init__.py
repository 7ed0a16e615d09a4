"""A site under load: jobs a second, how long each takes, what it costs, where that goes, how soon everything is gone.

``python -m benchmarks.load`` starts the processes of the compose file without Docker (``scripts/stack``), with
Postgres, two Valkeys and S3, sends photos through the API by 1, 8 and 64 people at once, who each fetch the model,
acknowledge it and send the next, and prints the tables; ``--help`` says what can be chosen. The provider answers at
once, so what is left is ours.
"""
