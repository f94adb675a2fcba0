"""What the site shows from outside docs/: the pages and figures of results/, and no links but to what it has."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS, RESULTS = ROOT / "docs", ROOT / "results"

_LINK = re.compile(r"\[([^]]*)\]\(([^)#:]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add results/: its pages, and all that they may link to."""
    for path in sorted(RESULTS.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            files.append(File(path.relative_to(ROOT).as_posix(), str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links, which are as the repository needs them, to where the site has what they name: docs/ is its root.

    Of a link to what the site does not have, such as a source file, the text alone is left.
    """
    source = Path(str(page.file.abs_src_path)).resolve()

    def turned(link: re.Match[str]) -> str:
        text, path, anchor = link[1], link[2], link[3] or ""
        target = (source.parent / path).resolve()
        if not target.exists():
            return link[0]  # strict builds complain about it
        for folder, root in ((DOCS, DOCS), (RESULTS, ROOT)):
            if target.is_relative_to(folder):
                return f"[{text}]({'../' * page.file.src_uri.count('/')}{target.relative_to(root).as_posix()}{anchor})"
        return text

    return _LINK.sub(turned, markdown)
