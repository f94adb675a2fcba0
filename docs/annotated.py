"""For the pages of the API: a field `name: Annotated[type, "what it is"]` has that type and that documentation."""

import ast
from typing import Any

import griffe


class Annotated(griffe.Extension):
    """Takes `Annotated` apart where an attribute is read."""

    def on_attribute_instance(self, *, node: ast.AST | griffe.ObjectNode, attr: griffe.Attribute, **_: Any) -> None:
        """The type for the signature, the text for the documentation."""
        match node, attr.annotation:
            case (
                # of the source, since griffe would take the text for a type
                ast.AnnAssign(annotation=ast.Subscript(slice=ast.Tuple(elts=[_, ast.Constant(value=str(text))]))),
                griffe.ExprSubscript(
                    left=griffe.ExprName(name="Annotated"), slice=griffe.ExprTuple(elements=[kind, _])
                ),
            ):
                attr.annotation = kind
                attr.docstring = griffe.Docstring(text, parent=attr)
