// A drawing that a snippet made, without anything that could act, load or cover the page.

const FORMS = new Set(
  "svg g title text tspan rect circle ellipse line path polygon polyline".split(" "),
);
const TRAITS = new RegExp(
  "^(xmlns|role|aria-label|viewBox|width|height|[xyrd]|[xy][12]|[cr][xy]|d[xy]|points|transform" +
    "|opacity|text-anchor|(fill|stroke|font)(-[a-z]+)?)$",
);

/**
 * The element, or the text itself where it is no drawing.
 * @param {string} source
 */
export function drawing(source) {
  const svg = new DOMParser().parseFromString(source, "image/svg+xml").documentElement;
  for (const node of [svg, ...svg.querySelectorAll("*")]) {
    if (!FORMS.has(node.tagName)) node.remove();
    for (const { name, value } of [...node.attributes]) {
      if (!TRAITS.test(name) || value.includes("url(")) node.removeAttribute(name);
    }
  }
  return FORMS.has(svg.tagName) ? document.adoptNode(svg) : source;
}
