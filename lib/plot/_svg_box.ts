// Where the parts of a plotly figure lie, which a document without a screen cannot say by itself. Boxes that are all zero
// or all alike make plotly hide tick labels ("past the edge") and misplace titles, so these are computed from the font.
import { type Affine, applyMap, compose, identity } from "../image/mod.ts";
import { ascent, descent, type TextWidth } from "./_font.ts";

export type SvgBox = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** What is used of a DOM element. */
export type SvgElement = {
  readonly nodeType: number;
  readonly tagName?: string;
  readonly textContent: string | null;
  readonly childNodes: Iterable<SvgElement>;
  readonly parentNode: SvgElement | null;
  readonly getAttribute?: (name: string) => string | null;
};

const nothing: SvgBox = { x: 0, y: 0, width: 0, height: 0 };
const ELEMENT = 1;
const LINE_HEIGHT = 1.3; // plotly's, in em

export function svgBoxes(textWidth: TextWidth) {
  /** In the element's own coordinates, as SVG's getBBox. */
  const boxOf = (element: SvgElement): SvgBox => {
    switch (element.tagName?.toLowerCase()) {
      case "text":
      case "tspan":
        return textBox(element, textWidth);
      case "rect":
      case "image":
        return {
          x: number(element, "x"),
          y: number(element, "y"),
          width: number(element, "width"),
          height: number(element, "height"),
        };
      case "line":
        return hull([[number(element, "x1"), number(element, "y1")], [number(element, "x2"), number(element, "y2")]]);
      case "circle": {
        const [x, y, r] = [number(element, "cx"), number(element, "cy"), number(element, "r")];
        return { x: x - r, y: y - r, width: 2 * r, height: 2 * r };
      }
      case "path":
        return hull(pathPoints(element.getAttribute?.("d") ?? ""));
      case "g":
      case "svg":
      case "a":
        return hull(
          childrenOf(element).flatMap((child) => corners(boxOf(child)).map((p) => applyMap(ownMap(child), p))),
        );
      default:
        return nothing; // clipPath, defs, style: not drawn
    }
  };
  /** On the page, as getBoundingClientRect. */
  const onPage = (element: SvgElement): SvgBox => {
    let points = corners(boxOf(element));
    for (let at: SvgElement | null = element; at?.getAttribute; at = at.parentNode) {
      const map = ownMap(at);
      points = points.map((point) => applyMap(map, point));
    }
    return hull(points);
  };
  return { boxOf, onPage, lengthOf: (element: SvgElement) => runWidth(element, textWidth) };
}

/** The length of a path of straight pieces: an arrow's shaft. */
export function pathLength(path: SvgElement): number {
  return legsOf(path).reduce((sum, { length }) => sum + length, 0);
}

/** The point at a length along a path of straight pieces. */
export function pointAlong(path: SvgElement, length: number): { x: number; y: number } {
  let rest = length;
  for (const { from, to, length } of legsOf(path)) {
    if (rest <= length) {
      const share = length === 0 ? 0 : rest / length;
      return { x: from[0] + (to[0] - from[0]) * share, y: from[1] + (to[1] - from[1]) * share };
    }
    rest -= length;
  }
  const [x, y] = pathPoints(path.getAttribute?.("d") ?? "").at(-1) ?? [0, 0];
  return { x, y };
}

function legsOf(path: SvgElement) {
  const points = pathPoints(path.getAttribute?.("d") ?? "");
  return points.slice(1).map((to, i) => {
    const from = points[i]!;
    return { from, to, length: Math.hypot(to[0] - from[0], to[1] - from[1]) };
  });
}

/** Rows of a text: plotly makes one `tspan.line` a row, with `dy` of 1.3 em each. */
function textBox(element: SvgElement, textWidth: TextWidth): SvgBox {
  const size = fontSize(element);
  const rows = childrenOf(element).filter((child) => child.getAttribute?.("class") === "line");
  const widths = (rows.length > 0 ? rows : [element]).map((row) => runWidth(row, textWidth));
  const width = Math.max(...widths);
  if (width === 0) return nothing;
  const anchor = styleOf(element, "text-anchor");
  const start = number(element, "x") - (anchor === "middle" ? width / 2 : anchor === "end" ? width : 0);
  return {
    x: start,
    y: number(element, "y") - ascent * size,
    width,
    height: (ascent + descent + LINE_HEIGHT * (widths.length - 1)) * size,
  };
}

function runWidth(node: SvgElement, textWidth: TextWidth): number {
  let width = 0;
  for (const child of node.childNodes) {
    width += child.nodeType === ELEMENT
      ? runWidth(child, textWidth)
      : textWidth(child.textContent ?? "") * fontSize(node);
  }
  return width;
}

function fontSize(element: SvgElement): number {
  for (let at: SvgElement | null = element; at?.getAttribute; at = at.parentNode) {
    const size = styleOf(at, "font-size");
    if (size?.endsWith("%")) return fontSize(at.parentNode!) * parseFloat(size) / 100; // sub- and superscripts
    if (size) return parseFloat(size);
  }
  return 12;
}

function styleOf(element: SvgElement, name: string): string | undefined {
  const style = element.getAttribute?.("style") ?? "";
  const found = new RegExp(`(?:^|;)\\s*${name}\\s*:\\s*([^;]+)`).exec(style)?.[1];
  return found?.trim() ?? element.getAttribute?.(name) ?? undefined;
}

const number = (element: SvgElement, name: string) => parseFloat(element.getAttribute?.(name) ?? "") || 0;

const childrenOf = (element: SvgElement) => [...element.childNodes].filter((child) => child.nodeType === ELEMENT);

/** The element's `transform`, and for a nested `svg` its place. */
function ownMap(element: SvgElement): Affine {
  let map = identity;
  for (const [, name, list] of (element.getAttribute?.("transform") ?? "").matchAll(/(\w+)\(([^)]*)\)/g)) {
    const [p = 0, q, r, s, t, u] = list!.split(/[\s,]+/).map(Number);
    if (name === "translate") map = compose(map, [1, 0, p, 0, 1, q ?? 0]);
    else if (name === "scale") map = compose(map, [p, 0, 0, 0, q ?? p, 0]);
    else if (name === "matrix") map = compose(map, [p, r!, t!, q!, s!, u!]);
    else if (name === "rotate") {
      const [cos, sin] = [Math.cos(p * Math.PI / 180), Math.sin(p * Math.PI / 180)];
      const [x, y] = [q ?? 0, r ?? 0];
      map = compose(map, [cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y]);
    }
  }
  return element.tagName?.toLowerCase() === "svg"
    ? compose(map, [1, 0, number(element, "x"), 0, 1, number(element, "y")])
    : map;
}

type Points = readonly (readonly [number, number])[];

const corners = ({ x, y, width, height }: SvgBox): Points =>
  width === 0 && height === 0 ? [] : [[x, y], [x + width, y], [x, y + height], [x + width, y + height]];

function hull(points: Points): SvgBox {
  if (points.length === 0) return nothing;
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** How many numbers each command of a path takes; its end point is the last two. */
const takes: Readonly<Record<string, number>> = { m: 2, l: 2, h: 1, v: 1, c: 6, s: 4, q: 4, t: 2, a: 7, z: 0 };

/** The end points of a path's pieces; curves bulge little beyond them in charts. */
function pathPoints(d: string): Points {
  const out: [number, number][] = [];
  let [x, y] = [0, 0];
  for (const [, letter, list] of d.matchAll(/([mlhvcsqtaz])([^mlhvcsqtaz]*)/gi)) {
    const command = letter!.toLowerCase();
    const relative = letter === command;
    const numbers = (list!.match(/-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi) ?? []).map(Number);
    const size = takes[command]!;
    for (let at = 0; size > 0 && at + size <= numbers.length; at += size) {
      const [u, v] = [numbers[at + size - 2]!, numbers[at + size - 1]!];
      if (command === "h") x = v + (relative ? x : 0);
      else if (command === "v") y = v + (relative ? y : 0);
      else [x, y] = [u + (relative ? x : 0), v + (relative ? y : 0)];
      out.push([x, y]);
    }
  }
  return out;
}
