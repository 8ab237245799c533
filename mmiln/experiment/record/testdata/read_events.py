"""Reads the TensorBoard events of a run folder with TensorBoard's own code and prints its scalars as JSON: tag -> [[step, value]].

    python read_events.py RUN

Numbers come as text, since JSON has no NaN. Checked with tensorboard 2.21.0.
"""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1] + "/tensorboard", size_guidance={"scalars": 0})
events.Reload()
scalars = {tag: [[e.step, repr(e.value)] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
json.dump({"version": events.file_version, "scalars": scalars}, sys.stdout)
