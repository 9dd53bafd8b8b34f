"""A neuron that does not spike and whose value ``x`` does not change: what graded synapses send.

Variables
---------
``x``: in the unit of the current that a synapse of weight 1 sends [nA]; given from outside, one for each example of a
batch.
"""

from snnlearn.declare import NeuronModel

AnalogSource = NeuronModel("AnalogSource", vars=["x"])
