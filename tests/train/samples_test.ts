import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { applyMap, type Circle, type Image, imageOf, moveRegionBack, type Preparation } from "mammolab/image";
import { encodePng } from "mammolab/io";
import { pipeline } from "mammolab/prepare";
import { filmSamples, patchSamples, preparedFilms } from "mammolab/train";
import { film } from "../datasets/_records.ts";

const preparation: Preparation = {
  crop: "none",
  face: "none",
  resize: { height: 64, width: 32, filter: "area", fit: "pad" },
  range: "display",
  mean: [0.5],
  std: [0.25],
  channels: 1,
};
const classes = { other: ["normal", "benign"], malignant: ["malignant"] };

/** Twice as large as prepared; each pixel says where it is: the row in thousands, the column in ones. */
const places = imageOf(Float32Array.from({ length: 64 * 32 }, (_, at) => at / (64 * 32)), {
  height: 64,
  width: 32,
  toSource: [2, 0, 0, 0, 2, 0],
});
const known = (image: Image) => () => Promise.resolve(image);
const mass = (x: number, y: number, pathology: "benign" | "malignant" = "malignant") => ({
  kind: "mass",
  pathology,
  region: { kind: "circle", x, y, radius: 6 } as Circle,
});

describe("preparedFilms()", () => {
  it("reads a film once, keeps it in 16 bits, and reads a changed file anew", async () => {
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    try {
      const file = `${folder}/film.png`;
      const pixels = (k: number) => Uint16Array.from({ length: 40 * 30 }, (_, at) => (at * 7 + k) % 4096);
      await Deno.writeFile(file, encodePng(pixels(0), { height: 40, width: 30 }));
      const record = film("1", { file, label: "normal" });
      const fresh = await preparedFilms({ preparation })(record);
      let asked = 0;
      const films = preparedFilms({
        preparation,
        folder: `${folder}/kept`,
        prepare: () => (asked++, Promise.resolve(fresh)),
      });
      const [first, again] = [await films(record), await films(record)];
      assertEquals([asked, again.data, again.toSource], [1, first.data, fresh.toSource]);
      fresh.data.forEach((x, at) => assertAlmostEquals(first.data[at]!, x, 1 / 65535));

      // A second training on the same folder, and one that finds a broken file.
      const other = preparedFilms({
        preparation,
        folder: `${folder}/kept`,
        prepare: () => (asked++, Promise.resolve(fresh)),
      });
      assertEquals([(await other(record)).data, asked], [first.data, 1]);
      const [kept] = await Array.fromAsync(Deno.readDir(`${folder}/kept`));
      await Deno.writeFile(`${folder}/kept/${kept!.name}`, new Uint8Array(10));
      assertEquals([(await other(record)).data, asked], [first.data, 2]);

      await Deno.writeFile(file, encodePng(pixels(1), { height: 40, width: 30 }));
      await Deno.utime(file, 1, 1);
      await films(record);
      assertEquals(asked, 3);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  it("names the film that cannot be read, and tries it again when asked again", async () => {
    let asked = 0;
    const films = preparedFilms({
      preparation,
      prepare: () => asked++ === 0 ? Promise.reject(new MammolabError("Cannot read it")) : Promise.resolve(places),
    });
    await assertRejects(() => films(film("1")), MammolabError, "Cannot read it");
    assertEquals((await films(film("1"))).height, 64);
    for (const kept of [{}, { folder: "nowhere" }]) {
      await assertRejects(
        () => preparedFilms({ preparation, ...kept })(film("2", { file: "nowhere.png" })),
        MammolabError,
        "nowhere.png",
      );
    }
  });
});

describe("filmSamples()", () => {
  const items = ["normal", "malignant"].map((label, k) => ({ film: film(`${k}`, { label }), copy: k }));

  it("gives ids, targets, and pixels that are augmented anew in each epoch but never for validation", async () => {
    const augment = { pipeline: pipeline([{ name: "brightness", options: { strength: 0.3 } }]), seed: 1 };
    const samples = filmSamples(items, { films: known(places), classes, augment });
    assertEquals([samples.ids, samples.targets], [["made up 0", "made up 1 copy 1"], [[1, 0], [0, 1]]]);
    assertEquals(await samples.image(0, -1), places.data);
    assertEquals(await samples.image(0, 3), await samples.image(0, 3));
    assertNotEquals(await samples.image(0, 3), await samples.image(0, 4));
  });

  it("refuses a film without a class", () => {
    assertThrows(
      () => filmSamples([{ film: film("x"), copy: 0 }], { films: known(places), classes }),
      MammolabError,
      "x",
    );
  });
});

describe("patchSamples()", () => {
  const size = 16;
  const lesion = mass(30, 60);
  const items = [
    film("sick", { label: "malignant", lesions: [lesion, mass(10, 20, "benign"), { kind: "asymmetry" }] }),
    film("well", { label: "normal" }),
    film("somewhere", { label: "malignant", lesions: [{ kind: "mass", pathology: "malignant" }] }),
  ].map((film) => ({ film, copy: 0 }));
  const samples = patchSamples(items, { films: known(places), classes, size, seed: 1 });
  /** The corner of a patch, from the number in its first pixel. */
  const cornerOf = ({ [0]: value }: Float32Array) => {
    const at = Math.round(value! * 64 * 32);
    return { x: at % 32, y: Math.floor(at / 32) };
  };

  it("takes the lesions that the label comes from, and tissue of films without any", () => {
    assertEquals(samples.ids, ["made up sick lesion 0", "made up well"]);
    assertEquals(samples.targets, [[0, 1], [1, 0]]);
  });

  it("gives none of a sick film of which no lesion is told: its tissue need not show what the label says", () => {
    const told = ["malignant", "benign", "normal"].map((label) => ({ film: film(label, { label }), copy: 0 }));
    assertEquals(patchSamples(told, { films: known(places), classes, size, seed: 1 }).ids, ["made up normal"]);
  });

  it("cuts the middle of a film without a breast, and of one that is smaller than a patch", async () => {
    const blank = imageOf(new Float32Array(64 * 32), { height: 64, width: 32 });
    const well = [{ film: film("well", { label: "normal" }), copy: 0 }];
    for (const [image, size] of [[blank, 16], [places, 80]] as const) {
      const { image: patch } = patchSamples(well, { films: known(image), classes, size, seed: 1 });
      for (const epoch of [-1, 0, 1]) assertEquals((await patch(0, epoch)).length, size * size);
    }
    const patch = await patchSamples(well, { films: known(places), classes, size: 80, seed: 1 }).image(0, -1);
    assertEquals(patch[8 * 80 + 24 + 5], places.data[5]);
  });

  it("names the film whose lesion lies outside what was prepared", async () => {
    const outside = [{ film: film("gone", { label: "malignant", lesions: [mass(900, 900)] }), copy: 0 }];
    const { image } = patchSamples(outside, { films: known(places), classes, size, seed: 1 });
    for (const epoch of [-1, 0]) {
      await assertRejects(async () => await image(0, epoch), MammolabError, "Cannot train on made up gone lesion 0");
    }
  });

  it("cuts the same tissue in the same epoch, elsewhere in another", async () => {
    const cut = (epoch: number) => samples.image(1, epoch);
    const corners = await Promise.all(Array.from({ length: 20 }, async (_, epoch) => cornerOf(await cut(epoch))));
    assertEquals(await cut(7), await cut(7));
    assert(new Set(corners.map(({ x, y }) => `${x} ${y}`)).size > 5);
  });

  it("cuts each epoch elsewhere, with the lesion in it; in validation the lesion is in the middle", async () => {
    const [middle] = [moveRegionBack(lesion.region, places.toSource) as Circle];
    const corners = await Promise.all(Array.from({ length: 40 }, async (_, epoch) => {
      const patch = await samples.image(0, epoch);
      assertEquals(patch.length, size * size);
      return cornerOf(patch);
    }));
    for (const { x, y } of corners) {
      assert(Math.abs(x + size / 2 - middle.x) <= size / 2 && Math.abs(y + size / 2 - middle.y) <= size / 2);
    }
    assert(new Set(corners.map(({ x, y }) => `${x} ${y}`)).size > 20);
    const { x, y } = cornerOf(await samples.image(0, -1));
    assertEquals([x + size / 2, y + size / 2], [middle.x, middle.y]);
    assertEquals(applyMap(places.toSource, [middle.x, middle.y]), [30, 60]);
  });
});
