// Stand-in for @std/testing/bdd where JSR cannot be reached: the same names over node:test. Used by tasks/test.ts only.
export {
  after,
  after as afterAll,
  afterEach,
  before,
  before as beforeAll,
  beforeEach,
  describe,
  it,
  test,
} from "node:test";
