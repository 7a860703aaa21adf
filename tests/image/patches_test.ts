import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { imageOf, patches, unpatch } from "mammolab/image";
import { assertClose, formulaPicture } from "./_pictures.ts";

const { version, size, channels, dim, height, width, kernel, image, tokens } = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/patches/case.json", import.meta.url)),
);

describe("patches()", () => {
  it(`times the kernel of a patch embedding is the convolution of torch ${version}`, () => {
    const flat = patches(imageOf(Float32Array.from(image), { height, width, channels }), { size });
    const length = channels * size * size;
    const embedded = [];
    for (let patch = 0; patch < flat.length / length; patch++) {
      for (let d = 0; d < dim; d++) {
        let sum = 0;
        for (let k = 0; k < length; k++) sum += flat[patch * length + k]! * kernel[d * length + k];
        embedded.push(sum);
      }
    }
    assertClose(embedded, tokens, 1e-5);
  });

  it("are HW / P² rows of P² C values", () => {
    assertEquals(patches(formulaPicture(384, 192)).length / (16 * 16), (384 * 192) / 16 ** 2);
  });

  it("refuse an image whose sides are no multiples of the patch", () => {
    assertThrows(() => patches(formulaPicture(20, 32)), MammolabError, "20 × 32 pixels");
    assertThrows(() => patches(formulaPicture(16, 16), { size: 0 }), MammolabError, "0 × 0");
  });
});

describe("unpatch()", () => {
  it("is the inverse of patches()", () => {
    const whole = fc.integer({ min: 1, max: 5 });
    fc.assert(fc.property(whole, whole, whole, fc.constantFrom(1, 3), (rows, columns, size, channels) => {
      const picture = formulaPicture(rows * size, columns * size, channels);
      assertEquals(unpatch(patches(picture, { size }), { ...picture, size }), picture);
    }));
  });

  it("refuses values that do not fit the shape", () => {
    assertThrows(() => unpatch(new Float32Array(10), { height: 4, width: 4, size: 2 }), MammolabError);
  });
});
