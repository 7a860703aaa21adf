import { drawsOf } from "./draws.ts";
import type { Random } from "../../base/mod.ts";
import type { Laterality } from "../../io/mod.ts";
import { clamp } from "./curves.ts";
import { type BreastShape, drawShape, halfHeightAt } from "./shape.ts";

/** BI-RADS density: almost entirely fatty, scattered, heterogeneously dense, extremely dense. Here a setting, not a measurement. */
export type Density = "a" | "b" | "c" | "d";

/** What an exam is drawn for; a normal one may still hold an incidental calcification. */
export type ExamLabel = "normal" | "benign" | "malignant";

/** What can be found. Spiculated masses and branching calcifications are malignant here, all others benign: simpler than life. */
export type LesionKind =
  | "spiculated mass"
  | "oval mass"
  | "branching calcifications"
  | "round calcifications"
  | "coarse calcification";

/** A digital detector with its maker's processing, or a film that was scanned. */
export type FilmKind = "digital" | "film";

/** A point of a breast in millimetres: `n` behind the nipple, `y` outwards, `z` upwards. */
export type BreastPoint = readonly [n: number, y: number, z: number];

/** A lesion before it is drawn. */
export type LesionPlan = {
  readonly kind: LesionKind;
  readonly pathology: "benign" | "malignant";
  /** Radius in millimetres of a mass, or of the space that calcifications are scattered in. */
  readonly radius: number;
  /** Brightness of a mass in deviations of the tissue around it; calcifications: 0 faint, 4 plain. */
  readonly contrast: number;
  readonly center: BreastPoint;
  /** Number within its breast: part of the key of its draws. */
  readonly index: number;
};

/** One breast before it is drawn. */
export type BreastPlan = { readonly laterality: Laterality; readonly lesions: readonly LesionPlan[] };

/** How the exam was taken and displayed. */
export type Technique = {
  readonly kind: FilmKind;
  /** Dose relative to the usual one: more is less noise. */
  readonly dose: number;
  /** Exponent of the display curve (digital). */
  readonly gamma: number;
  /** Strength of the unsharp mask (digital). */
  readonly sharpening: number;
  /** How far the falling thickness at the rim is made up for, 0..1 (digital). */
  readonly equalization: number;
};

/** How this woman's gland differs from others of its density; factors around 1, `patches` around 0.6. */
export type Pattern = {
  /** Depth of the fat lobules in the gland. */
  readonly lobules: number;
  /** How patchy the gland is. */
  readonly patches: number;
  /** Brightness of the strands. */
  readonly strands: number;
};

/** All that is drawn about an exam before any pixel: plain JSON. Together with the pixel size it makes the films. */
export type ExamPlan = {
  readonly seed: number;
  /** Years. */
  readonly age: number;
  readonly density: Density;
  /** BI-RADS assessment category. */
  readonly assessment: number;
  readonly label: ExamLabel;
  readonly technique: Technique;
  readonly shape: BreastShape;
  readonly pattern: Pattern;
  readonly breasts: readonly [BreastPlan, BreastPlan];
};

/** What may be fixed instead of drawn. The defaults are the distribution that models are trained on: change them and nothing compares. */
export type PlanOptions = {
  readonly label?: ExamLabel;
  readonly density?: Density;
  readonly kind?: FilmKind;
  /** Lowest and highest contrast of a lesion, log-uniform; default 1.4 to 4.2, from barely visible to plain. */
  readonly contrast?: readonly [low: number, high: number];
  /** Smallest and largest radius of a mass in millimetres, log-uniform; default 6 to 16. */
  readonly radius?: readonly [low: number, high: number];
};

/** The shares of the labels. As many benign as malignant masses, else a bright disc alone would give the label away. */
const labelShares: Readonly<Record<ExamLabel, number>> = { normal: 0.32, benign: 0.33, malignant: 0.35 };
/** Shares of women screened in the United States (Sprague 2014, JNCI 106:dju255: 10, 43, 40, 7 %, with more of the ends). */
const densityShares: Readonly<Record<Density, number>> = { a: 0.12, b: 0.4, c: 0.38, d: 0.1 };
const filmShare = 0.2;

/** Draws an exam. The same seed and options give the same plan. */
export function planExam(seed: number, options: PlanOptions = {}): ExamPlan {
  const random = drawsOf(seed, "exam");
  const label = chosen(labelShares, random, options.label);
  const density = chosen(densityShares, random, options.density);
  const rank = "abcd".indexOf(density);
  const shape = drawShape(drawsOf(seed, "shape"), rank);
  const breasts = drawLesions(seed, label, shape, options);
  return {
    seed,
    age: Math.round(clamp(62 - 6 * rank + 10 * random.normal() + (label === "malignant" ? 3 : 0), 35, 88)),
    density,
    assessment: drawAssessment(random, label, breasts),
    label,
    technique: drawTechnique(drawsOf(seed, "technique"), options.kind),
    shape,
    pattern: drawPattern(drawsOf(seed, "pattern")),
    breasts,
  };
}

function drawTechnique(random: Random, kind: FilmKind | undefined): Technique {
  const drawn = random.uniform() < filmShare ? "film" : "digital";
  return {
    kind: kind ?? drawn,
    dose: random.logBetween(0.7, 1.5),
    gamma: random.between(0.85, 1.2),
    sharpening: random.between(0.15, 0.6),
    equalization: random.between(0.88, 0.99),
  };
}

function drawPattern(random: Random): Pattern {
  return {
    lobules: random.between(0.6, 1.3),
    patches: random.between(0.35, 0.75),
    strands: random.logBetween(0.65, 1.3),
  };
}

type Finding = { readonly breast: 0 | 1; readonly kind: LesionKind; readonly malignant?: true; readonly inside?: true };

function drawLesions(seed: number, label: ExamLabel, shape: BreastShape, options: PlanOptions): ExamPlan["breasts"] {
  const lesions: [LesionPlan[], LesionPlan[]] = [[], []];
  for (const finding of drawFindings(drawsOf(seed, "finding"), label)) {
    const own = lesions[finding.breast];
    own.push(drawLesion(seed, finding, own, shape, options));
  }
  return [{ laterality: "L", lesions: lesions[0] }, { laterality: "R", lesions: lesions[1] }];
}

/** Which lesions an exam has. Incidental calcifications come whatever the label, so that a bright dot says nothing. */
function drawFindings(random: Random, label: ExamLabel): Finding[] {
  const side = random.integer(2) as 0 | 1;
  const other = (1 - side) as 0 | 1;
  const found: Finding[] = [];
  const kind = random.uniform();
  if (label === "malignant") {
    if (kind < 0.94) found.push({ breast: side, kind: "spiculated mass", malignant: true });
    if (kind > 0.76) {
      found.push({
        breast: side,
        kind: "branching calcifications",
        malignant: true,
        ...(kind < 0.94 ? { inside: true } : {}),
      });
    }
  } else if (label === "benign") {
    found.push({
      breast: side,
      kind: kind < 0.82 ? "oval mass" : kind < 0.92 ? "round calcifications" : "coarse calcification",
    });
  }
  if (random.uniform() < 0.2 && label !== "normal") found.push({ breast: other, kind: "oval mass" });
  if (random.uniform() < 0.15) found.push({ breast: random.integer(2) as 0 | 1, kind: "coarse calcification" });
  if (random.uniform() < 0.15) found.push({ breast: random.integer(2) as 0 | 1, kind: "round calcifications" });
  return found;
}

function drawLesion(
  seed: number,
  { breast, kind, malignant = undefined, inside }: Finding,
  before: readonly LesionPlan[],
  shape: BreastShape,
  { contrast = [1.4, 4.2], radius = [6, 16] }: PlanOptions,
): LesionPlan {
  const index = before.length;
  const random = drawsOf(seed, "lesion", breast, index);
  const size = random.uniform();
  const within = ([low, high]: readonly [number, number]) => low * (high / low) ** size;
  const drawn = kind.endsWith("mass") ? within(radius) : within(kind === "coarse calcification" ? [1.5, 3.5] : [5, 12]);
  const host = inside ? before.at(-1) : undefined;
  return {
    kind,
    pathology: malignant ? "malignant" : "benign",
    radius: host ? Math.min(drawn, host.radius) : drawn,
    contrast: random.logBetween(contrast[0], contrast[1]),
    center: host?.center ?? drawCenter(random, shape, drawn),
    index,
  };
}

/** A point that both views show with a centimetre to spare; the upper outer quadrant is preferred. */
function drawCenter(random: Random, shape: BreastShape, radius: number): BreastPoint {
  const angle = (shape.obliqueDegrees * Math.PI) / 180;
  for (let attempt = 0; attempt < 300; attempt++) {
    const n = random.between(16 + radius, 0.82 * shape.depth);
    const y = (0.12 + 0.36 * random.normal()) * shape.halfHeight;
    const z = (0.1 + 0.34 * random.normal()) * shape.halfHeight;
    const room = halfHeightAt(shape, n - radius - 10) - radius - 4;
    const oblique = z * Math.sin(angle) + y * Math.cos(angle);
    if (Math.abs(y) < room && Math.abs(oblique) < 0.85 * room) return [n, y, z];
  }
  return [0.5 * shape.depth, 0, 0];
}

function drawAssessment(random: Random, label: ExamLabel, breasts: ExamPlan["breasts"]): number {
  const contrasts = breasts.flatMap(({ lesions }) => lesions.map(({ contrast }) => contrast));
  const plainest = Math.max(0, ...contrasts);
  const chance = random.uniform();
  if (label === "normal") return contrasts.length === 0 ? 1 : 2;
  if (label === "benign") return chance < 0.6 ? 2 : chance < 0.9 ? 3 : 4;
  if (plainest > 1.6) return chance < 0.5 ? 4 : 5;
  return chance < 0.2 ? 3 : 4;
}

/** Draws a name by its share, always the same number of draws, so that fixing one thing changes no other. */
function chosen<T extends string>(shares: Readonly<Record<T, number>>, random: Random, fixed: T | undefined): T {
  let rest = random.uniform();
  const names = Object.keys(shares) as T[];
  return fixed ?? names.find((name) => (rest -= shares[name]) < 0) ?? names.at(-1)!;
}
