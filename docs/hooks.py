"""Adds the pages and figures of results/ to the site, and drops links to files that the site does not have."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS, RESULTS = ROOT / "docs", ROOT / "results"

_LINK = re.compile(r"\[([^]]*)\]\(([^)#:]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add results/: its pages and the files that they may link to."""
    for path in sorted(RESULTS.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            files.append(File(path.relative_to(ROOT).as_posix(), str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite links, which are relative to the repository, for the site, whose root is docs/.

    A link to a file that the site does not have, such as a source file, becomes plain text.
    """
    source = Path(str(page.file.abs_src_path)).resolve()

    def rewritten(link: re.Match[str]) -> str:
        text, path, anchor = link[1], link[2], link[3] or ""
        target = (source.parent / path).resolve()
        if not target.exists():
            return link[0]  # strict builds complain about it
        for folder, root in ((DOCS, DOCS), (RESULTS, ROOT)):
            if target.is_relative_to(folder):
                return f"[{text}]({'../' * page.file.src_uri.count('/')}{target.relative_to(root).as_posix()}{anchor})"
        return text

    return _LINK.sub(rewritten, markdown)
