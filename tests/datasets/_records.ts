import type { FilmRecord } from "mammolab/datasets";

/** A record with little in it. */
export function film(id: string, facts: Partial<FilmRecord> & { readonly label?: string } = {}): FilmRecord {
  const { label, ...rest } = facts;
  return {
    id,
    labels: label === undefined ? {} : { image: { value: label, rule: "made up" } },
    lesions: [],
    file: `${id}.png`,
    dataset: "made up",
    oddities: [],
    ...rest,
  };
}
