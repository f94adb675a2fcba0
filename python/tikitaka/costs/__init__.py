"""What a training costs on a chip: time, energy and area, from its ledger and a table of numbers with sources; wear."""

from tikitaka.costs.band import Band
from tikitaka.costs.bill import EXCLUDED, Bill
from tikitaka.costs.entry import Entry
from tikitaka.costs.table import Costs
from tikitaka.costs.wear import Wear, WearReport, wear

__all__ = ["EXCLUDED", "Band", "Bill", "Costs", "Entry", "Wear", "WearReport", "wear"]
