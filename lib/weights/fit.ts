import { MammolabError } from "../base/mod.ts";

/** What a weight file lacks and has too much of, for a network. */
export type WeightReport = {
  /** Names that the network needs and the file lacks. */
  readonly missing: readonly string[];
  /** Names in the file that the network does not use. */
  readonly unexpected: readonly string[];
  /** Names whose shapes differ. */
  readonly misfits: readonly {
    readonly name: string;
    readonly needed: readonly number[];
    readonly found: readonly number[];
  }[];
};

/** Compares a network's parameters with the tensors of a file. Index tables that can be computed are not reported. */
export function compareWeights(
  needed: ReadonlyMap<string, readonly number[]>,
  found: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): WeightReport {
  const computed = /(relative_position_index|attn_mask|num_batches_tracked)$/;
  return {
    missing: [...needed.keys()].filter((name) => !found.has(name)),
    unexpected: [...found.keys()].filter((name) => !needed.has(name) && !computed.test(name)),
    misfits: [...needed].flatMap(([name, shape]) => {
      const own = found.get(name)?.shape;
      return own && own.join() !== shape.join() ? [{ name, needed: shape, found: own }] : [];
    }),
  };
}

/**
 * Refuses weights that are not those of the network.
 *
 * @throws MammolabError with the first names when something is missing or has another shape */
export function requireFit(report: WeightReport, file: string): void {
  const few = (names: readonly string[]) =>
    `${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""}`;
  if (report.missing.length > 0) {
    throw new MammolabError(
      `Cannot use the weights ${file}: they lack ${few(report.missing)}; choose the network that they were made for`,
    );
  }
  const [misfit] = report.misfits;
  if (misfit) {
    throw new MammolabError(
      `Cannot use the weights ${file}: ${misfit.name} is [${misfit.found}], the network needs [${misfit.needed}]; choose the network that they were made for`,
    );
  }
}
