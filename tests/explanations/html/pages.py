"""Pages of HTML, read as a browser reads them."""

from html.parser import HTMLParser

VOID = {"br", "hr", "link", "meta"}


class Page(HTMLParser):
    """Elements, text and ids of a page; elements must close in their order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, element, attributes):
        self.elements.append((element, dict(attributes)))
        assert len(dict(attributes)) == len(attributes)
        if element not in VOID:
            self.open.append(element)

    def handle_endtag(self, element):
        assert self.open.pop() == element

    def handle_data(self, text):
        if "style" not in self.open:
            self.texts.append(text)

    @property
    def text(self):
        return "".join(self.texts)

    def all(self, element):
        return [attributes for name, attributes in self.elements if name == element]


ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "div", "h1",
    "h2", "h3", "p", "span", "strong", "bdi", "code", "a", "ul", "li", "dl", "dt", "dd", "table",
    "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "svg", "path", "rect",
    "line", "text", "desc",
}  # fmt: skip


def checked(text):
    """Return a page that runs nothing, asks for nothing, and names what it refers to."""
    page = Page(text)
    assert {name for name, _ in page.elements} <= ALLOWED
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
        assert attributes.get("href", "#").startswith("#")
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for _, attributes in page.elements:
        for name in attributes.get("aria-labelledby", "").split():
            assert name in ids
        if attributes.get("href"):
            assert attributes["href"][1:] in ids
    return page
