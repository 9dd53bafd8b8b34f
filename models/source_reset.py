"""Rewind a spike source, on the device: ``startSpike = firstSpike``.

``firstSpike`` is the index of each neuron's first spike in ``spikeTimes``. Works on any neuron that walks
through a list of spike times (`SpikeSourceArray`, `SuperSpikeOutput`). Where host and device share their
memory, as in GeNN's CPU back end, uploading ``startSpike`` again resets nothing; this does.
"""

from snnlearn.declare import CustomUpdateModel, CustomUpdateVarAccess

SourceReset = CustomUpdateModel(
    "SourceReset",
    vars=[("firstSpike", "unsigned int", CustomUpdateVarAccess.READ_ONLY)],
    var_refs=[("startSpike", "unsigned int")],
    update_code="startSpike = firstSpike;",
)
