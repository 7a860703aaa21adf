import type { Oddity } from "./oddities.ts";
import { type FilmRecord, labelOf, patientKey } from "./records.ts";

/** Patient, exam, side and view: what names one view of one breast at one time. */
export function viewsOf(records: readonly FilmRecord[]): [name: string, films: FilmRecord[]][] {
  const known = records.filter(({ patient, laterality, view }) => patient && laterality && view);
  return [...Map.groupBy(known, (r) => [patientKey(r), r.exam, r.laterality, r.view].join(" ")).values()]
    .filter(({ length }) => length > 1)
    .map((films) => [`${films[0]!.patient} ${films[0]!.laterality} ${films[0]!.view}`, films]);
}

/** Labels that differ where they should not: on one view, on copies of a film, on a breast or a patient that has one label. */
export function conflicts(records: readonly FilmRecord[], copies: readonly (readonly FilmRecord[])[]): Oddity[] {
  const told = (films: readonly FilmRecord[], label: (record: FilmRecord) => string | undefined): Oddity[] => {
    const labels = [...new Set(films.flatMap((film) => label(film) ?? []))].sort();
    return labels.length > 1 ? [{ kind: "conflicting labels", records: ids(films), labels }] : [];
  };
  const known = records.filter(({ patient }) => patient !== undefined);
  const breasts = Map.groupBy(
    known.filter(({ laterality }) => laterality),
    (r) => [patientKey(r), r.exam, r.laterality].join(" "),
  );
  return [
    ...viewsOf(records).flatMap(([, films]) => told(films, labelOf)),
    ...copies.flatMap((films) => told(films, labelOf)),
    ...[...breasts.values()].flatMap((films) => told(films, ({ labels }) => labels.breast?.value)),
    ...[...Map.groupBy(known, patientKey).values()].flatMap((films) =>
      told(films, ({ labels }) => labels.patient?.value)
    ),
  ];
}

/** Breasts that lack a view which the dataset has for others. */
export function missingViews(records: readonly FilmRecord[]): Oddity[] {
  const views = (["CC", "MLO"] as const).filter((view) => records.some((record) => record.view === view));
  if (views.length < 2) return [];
  const known = records.filter(({ patient, laterality, view }) =>
    patient && laterality && (view === "CC" || view === "MLO")
  );
  return [...Map.groupBy(known, (r) => [patientKey(r), r.exam, r.laterality].join(" ")).values()].flatMap((films) => {
    const lacks = views.find((view) => !films.some((film) => film.view === view));
    const { patient, laterality, view } = films[0]!;
    return lacks
      ? [{ kind: "view missing" as const, patient: patient!, laterality: laterality!, has: view!, lacks }]
      : [];
  });
}

/** Their names. */
export function ids(records: readonly FilmRecord[]): string[] {
  return records.map(({ id }) => id);
}
