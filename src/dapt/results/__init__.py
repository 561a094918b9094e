"""What runs, evaluations and protocols have found: records of single ones, and tables of many (`load`)."""

from __future__ import annotations

from dapt.results.records import SCHEMA as SCHEMA
from dapt.results.records import EvaluationResults as EvaluationResults
from dapt.results.records import Figures as Figures
from dapt.results.records import ProtocolResults as ProtocolResults
from dapt.results.records import Results as Results
from dapt.results.records import Row as Row
from dapt.results.records import RunResults as RunResults
from dapt.results.records import read_record as read_record
from dapt.results.runs_frame import load as load
from dapt.results.store_file import save as save
