"""For the API pages: documents a field `name: Annotated[type, "what it is"]` with its type and its text."""

import ast
from typing import Any

import griffe


class Annotated(griffe.Extension):
    """Splits `Annotated` into type and documentation."""

    def on_attribute_instance(self, *, node: ast.AST | griffe.ObjectNode, attr: griffe.Attribute, **_: Any) -> None:
        """Use the type for the signature and the text for the documentation."""
        match node, attr.annotation:
            case (
                # from the source, because griffe would take the text for a type
                ast.AnnAssign(annotation=ast.Subscript(slice=ast.Tuple(elts=[_, ast.Constant(value=str(text))]))),
                griffe.ExprSubscript(
                    left=griffe.ExprName(name="Annotated"), slice=griffe.ExprTuple(elements=[kind, _])
                ),
            ):
                attr.annotation = kind
                attr.docstring = griffe.Docstring(text, parent=attr)
