"""Stage 8, *train*: what drives a simulation through its public API only, whichever engine runs it."""

from snnlearn.declare.optimiser import Optimiser
from snnlearn.training.arguments import TrainedConnection
from snnlearn.training.array_data import ArrayData
from snnlearn.training.callbacks import Callback, StopTraining
from snnlearn.training.csv_logger import CSVLogger
from snnlearn.training.data import Data
from snnlearn.training.decay import DecayType
from snnlearn.training.early_stopping import EarlyStopping
from snnlearn.training.finder import FoundRate
from snnlearn.training.history import History
from snnlearn.training.learner import Learner
from snnlearn.training.learnt_rates import LearntRates
from snnlearn.training.measures import Mean, Measure
from snnlearn.training.model_checkpoint import ModelCheckpoint
from snnlearn.training.optimisers import OPTIMISERS, attach, resolve_optimiser
from snnlearn.training.phases import TrainingPhase
from snnlearn.training.progress_bar import ProgressBar
from snnlearn.training.rates import PerConnection
from snnlearn.training.recipes import phases_1cycle, phases_sgdr, phases_step
from snnlearn.training.runner import TrialRunner
from snnlearn.training.session import EpochResult
from snnlearn.training.sum_log import NotedSum, SumLog
from snnlearn.training.tensor_board_logger import TensorBoardLogger

__all__ = [
    "OPTIMISERS",
    "ArrayData",
    "CSVLogger",
    "Callback",
    "Data",
    "DecayType",
    "EarlyStopping",
    "EpochResult",
    "FoundRate",
    "History",
    "Learner",
    "LearntRates",
    "Mean",
    "Measure",
    "ModelCheckpoint",
    "NotedSum",
    "Optimiser",
    "PerConnection",
    "ProgressBar",
    "StopTraining",
    "SumLog",
    "TensorBoardLogger",
    "TrainedConnection",
    "TrainingPhase",
    "TrialRunner",
    "attach",
    "phases_1cycle",
    "phases_sgdr",
    "phases_step",
    "resolve_optimiser",
]
