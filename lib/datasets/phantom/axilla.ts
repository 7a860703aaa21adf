import { drawsOf } from "./draws.ts";
import type { Laterality } from "../../io/mod.ts";
import { addDot, addStroke, type Canvas } from "./canvas.ts";
import type { Frame } from "./frame.ts";
import type { ExamPlan } from "./plan.ts";

/** What only the oblique view shows: fibres of the axillary tail, and lymph nodes over the muscle in about half of the views. */
export function addAxilla(canvas: Canvas, veil: Canvas, plan: ExamPlan, laterality: Laterality, frame: Frame): void {
  addTail(veil, plan, laterality, frame);
  addNodes(canvas, plan, laterality, frame);
}

function addTail(
  veil: Canvas,
  { seed, shape, density }: ExamPlan,
  laterality: Laterality,
  { nippleX, nippleY }: Frame,
) {
  const random = drawsOf(seed, "axillary tail", laterality);
  const bright = 1 + 0.25 * "abcd".indexOf(density);
  for (let i = 0; i < 240; i++) {
    let [x, y] = [random.between(0, nippleX), random.between(-10, nippleY - 0.6 * shape.halfHeight)];
    const width = random.logBetween(0.35, 1.2);
    const length = random.logBetween(8, 45);
    const pieces = Math.max(3, Math.ceil(length / 4));
    const points = new Float64Array(2 * (pieces + 1));
    let angle = random.between(0.8, 1.8); // down and forward
    const turn = 0.07 * random.normal();
    for (let k = 0; k <= pieces; k++) {
      points.set([x, y], 2 * k);
      angle += turn + 0.04 * random.normal();
      x += (Math.cos(angle) * length) / pieces;
      y += (Math.sin(angle) * length) / pieces;
    }
    const peak = bright * random.logBetween(0.5, 4.5) * Math.sqrt(width);
    addStroke(veil, { points, width: [width, width], peak: [peak, 0.4 * peak], fade: [0.25, 0.25] });
  }
}

/** Bean-shaped, with a hilum of fat. */
function addNodes(canvas: Canvas, { seed }: ExamPlan, laterality: Laterality, { nippleX, nippleY }: Frame) {
  const random = drawsOf(seed, "nodes", laterality);
  for (let i = random.integer(6) - 2; i > 0; i--) {
    const [x, y] = [random.between(0.05, 0.4) * nippleX, random.between(0.04, 0.3) * nippleY];
    const size = random.between(2, 4.5);
    const hilum = random.between(0.3, 0.6) * size;
    const peak = random.between(4, 9);
    addDot(canvas, x, y, size, peak);
    addDot(canvas, x + 0.4 * size, y + 0.7 * size, size, 0.8 * peak);
    addDot(canvas, x + hilum, y + hilum, 0.55 * size, -0.9 * peak);
  }
}
