"""A worker whose method is a walk of slow steps: `-m tests.walking_worker WORKSPACE JOB`."""

import sys

from darkgnn_core import train_job, worker
from tests.made_trainers import WalkTrainer

STEP_S = 0.05

if __name__ == "__main__":
    train_job.make_trainer = lambda config, days, *, read: WalkTrainer(days.keys, step_s=STEP_S)
    sys.exit(worker.main(*sys.argv[1:3]))
