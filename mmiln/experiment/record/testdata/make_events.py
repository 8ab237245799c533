"""Writes events.golden: an event file by TensorBoard's own writer, for events_test.go to compare with, byte by byte.

    python make_events.py > events.golden

Made with tensorboard 2.21.0 and protobuf 7.36.2.
"""
import sys

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def scalars(step, **values):
    entries = [Summary.Value(tag=tag.replace("_", "/"), simple_value=v) for tag, v in sorted(values.items())]
    return Event(wall_time=1764028800.25, step=step, summary=Summary(value=entries))


writer = RecordWriter(sys.stdout.buffer)
writer.write(Event(wall_time=1764028800.25, file_version="brain.Event:2").SerializeToString())
writer.write(scalars(0, train_loss=1.5, valid_mae=0.0).SerializeToString())
writer.write(scalars(300, train_loss=float("inf"), valid_mae=-0.1).SerializeToString())
writer.flush()
