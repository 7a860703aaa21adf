import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { decodeJpeg } from "mammolab/io";
import { MammolabError } from "mammolab/base";

type Case = {
  readonly name: string;
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly values: readonly number[];
  readonly refuse?: string;
};

// fixtures/jpeg/make.py: decoded by libjpeg-turbo through Pillow
const { cases }: { cases: readonly Case[] } = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/jpeg/pictures.json", import.meta.url)),
);
const grey = Uint8Array.fromBase64((cases[0] as Case).file);

describe("decodeJpeg()", () => {
  for (const { name, file, refuse, width, height, values } of cases) {
    it(refuse ? `refuses ${name}` : `reads ${name} as libjpeg does, to one level`, async () => {
      const bytes = Uint8Array.fromBase64(file);
      if (refuse) {
        await assertRejects(() => decodeJpeg(bytes), MammolabError, refuse);
        return;
      }
      const picture = await decodeJpeg(bytes);
      assertEquals([picture.width, picture.height, picture.white], [width, height, 255]);
      const largest = Math.max(...values.map((value, i) => Math.abs(value - (picture.data[i] as number))));
      assertLessOrEqual(largest, 1); // inverse DCTs may round to either side
      assert(picture.warnings[0]?.includes("JPEG"));
    });
  }

  it("refuses a grey stream that is cut at any place, also where an end mark was put behind the cut", async () => {
    for (let length = 2; length < grey.length - 2; length += 17) {
      const cut = grey.subarray(0, length);
      await assertRejects(() => decodeJpeg(cut), MammolabError, "Cannot read the JPEG: ", `${length} bytes`);
      const marked = Uint8Array.from([...cut, 0xff, 0xd9]);
      await assertRejects(
        () => decodeJpeg(marked),
        MammolabError,
        "Cannot read the JPEG: ",
        `${length} bytes and a mark`,
      );
    }
  });

  it("accepts zeros behind the end mark", async () => {
    const { data } = await decodeJpeg(grey);
    assertEquals((await decodeJpeg(Uint8Array.from([...grey, 0, 0, 0]))).data, data);
  });

  it("refuses a size above the limit", async () => {
    await assertRejects(() => decodeJpeg(grey, { maxPixels: 100 }), MammolabError, "37 × 50 pixels, the limit is 100");
  });
});
