"""Tell class neurons which class is shown: ``target`` is 1 for it and 0 for the others.

``labels`` holds the class of every pattern; the dynamic parameter ``pattern`` says which is shown.
"""

from snnlearn.declare import CustomUpdateModel

ShowLabel = CustomUpdateModel(
    "ShowLabel",
    params=[("pattern", "unsigned int")],
    var_refs=["target"],
    extra_global_params=[("labels", "unsigned int*")],
    update_code="target = (labels[pattern] == id) ? 1.0 : 0.0;",
)
