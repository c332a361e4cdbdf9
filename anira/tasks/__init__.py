"""What is asked, and how hard each token is: the tasks, and how to register one of your own."""

from anira.tasks import graphs
from anira.tasks.brevo import Brevo
from anira.tasks.clrs import Clrs
from anira.tasks.depo import Depo
from anira.tasks.grammar import Grammar
from anira.tasks.lano import Lano
from anira.tasks.mano import Mano
from anira.tasks.registry import TASKS, from_json, register, to_json
from anira.tasks.split import in_split
from anira.tasks.task import Task

__all__ = ["TASKS", "Brevo", "Clrs", "Depo", "Grammar", "Lano", "Mano", "Task", "from_json", "graphs", "in_split", "register", "to_json"]
