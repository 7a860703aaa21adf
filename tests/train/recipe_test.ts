import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { checkRecipe, type Recipe } from "mammolab/train";

const least = { seed: 1, epochs: 2, batchSize: 8, learningRate: 1e-3 };

/** Each setting at least once, as JSON. */
const full: Recipe = {
  ...least,
  epochs: 4,
  accumulate: 2,
  schedule: { kind: "step", warmUp: 0.1, milestones: [0.5, 0.9], factor: 0.3 },
  optimizer: { kind: "adamw", weightDecay: 0.05, betas: [0.9, 0.99], epsilon: 1e-8 },
  loss: { kind: "focal", gamma: 2, classWeights: [1, 3] },
  labelSmoothing: 0.1,
  mode: { lastBlocks: 2 },
  unfreeze: [{ epoch: 0, mode: "head" }, { epoch: 2, mode: { lastBlocks: 1 } }, { epoch: 3, mode: "all" }],
  layerDecay: 0.8,
  dropPath: 0.1,
  dropout: 0.1,
  recomputeAttention: true,
  clip: 1,
  average: 0.01,
  patience: 3,
  augmentation: [{ name: "flip", options: { direction: "vertical" }, probability: 0.5 }],
  patches: 96,
  pool: "max",
};

describe("checkRecipe()", () => {
  it("takes all settings, from a file too", () => {
    checkRecipe(least);
    checkRecipe(JSON.parse(JSON.stringify(full)));
    checkRecipe({ ...least, optimizer: { kind: "sgd", momentum: 0.9 }, loss: { kind: "binary" }, mode: "head" });
  });

  const wrong: readonly (readonly [setting: Readonly<Record<string, unknown>>, sentence: string])[] = [
    [{ "learning-rate": 1e-3 }, "learning-rate is no setting; known are seed, epochs, batchSize"],
    [{ seed: "1" }, 'seed is "1"; give a whole number'],
    [{ epochs: undefined }, "epochs is undefined; give a whole number above 0"],
    [{ batchSize: 1.5 }, "batchSize is 1.5; give a whole number above 0"],
    [
      { learningRate: "1e-3" },
      'the learning rate is "1e-3": nothing would be learned; give learningRate a number above 0',
    ],
    [{ schedule: { kind: "cos" } }, 'schedule.kind is "cos"; give constant or cosine or step or oneCycle'],
    [
      { schedule: { kind: "cosine", warmup: 0.1 } },
      "schedule.warmup is no setting; known are schedule.kind, schedule.warmUp",
    ],
    [{ schedule: { kind: "cosine", milestones: [0.5] } }, "schedule.milestones is no setting; known are schedule.kind"],
    [{ schedule: { kind: "oneCycle", floor: 2 } }, "schedule.floor is 2; give a share from 0 to 1"],
    [{ optimizer: { kind: "adam" } }, 'optimizer.kind is "adam"; give adamw or sgd'],
    [{ optimizer: { kind: "adamw", momentum: 0.9 } }, "optimizer.momentum is no setting"],
    [{ optimizer: "adamw" }, "optimizer.kind is undefined; give adamw or sgd"],
    [{ loss: { kind: "bce" } }, 'loss.kind is "bce"; give crossEntropy or focal or binary'],
    [
      { loss: { kind: "crossEntropy", classWeights: [1, "2"] } },
      'loss.classWeights[1] is "2"; give a number of 0 or more',
    ],
    [{ mode: "heads" }, 'mode is "heads"; give head, all, or { "lastBlocks": 2 }'],
    [{ mode: { last: 2 } }, "mode.last is no setting; known are mode.lastBlocks"],
    [{ unfreeze: { epoch: 0, mode: "head" } }, "unfreeze is {"],
    [{ unfreeze: [{ epoch: 0, mode: "none" }] }, 'unfreeze[0].mode is "none"'],
    [{ unfreeze: [{ epoch: 2, mode: "all" }, { epoch: 0, mode: "head" }] }, "give stages in the order of their epochs"],
    [{ unfreeze: [{ epoch: 0, mode: "head" }, { epoch: 2, mode: "all" }] }, "a stage at epoch 2, counted from 0, of 2"],
    [{ dropPath: "0.1" }, 'dropPath is "0.1"; give a share'],
    [{ recomputeAttention: "no" }, 'recomputeAttention is "no"; give true or false'],
    [{ patience: 0 }, "patience is 0; give a whole number above 0"],
    [{ augmentation: "flip" }, 'augmentation is "flip"; give a list'],
    [{ augmentation: ["flip"] }, 'augmentation[0] is "flip"; give an object with a name and options'],
    [{ pool: "avg" }, 'pool is "avg"; give token or average or max'],
  ];
  for (const [setting, sentence] of wrong) {
    it(`refuses ${JSON.stringify(setting)} in a sentence that names it`, () => {
      const { message } = assertThrows(() => checkRecipe({ ...least, ...setting } as unknown as Recipe), MammolabError);
      assertEquals(message.startsWith("Cannot train: ") && message.includes(sentence), true, message);
      assertEquals(message.includes("\n"), false);
    });
  }

  it("refuses what is no recipe at all", () => {
    for (const value of [null, [], "fast"]) {
      assertThrows(() => checkRecipe(value as unknown as Recipe), MammolabError, "Cannot train: the recipe is");
    }
  });
});
