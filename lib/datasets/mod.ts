/** A public dataset → honest records. @module */
export type { FilmRecord, Label, Lesion } from "./records.ts";
