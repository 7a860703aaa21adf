// Imports the standard test library and nothing else: tasks/test.ts runs it to see whether JSR can be reached.
import "@std/testing/bdd";
import "@std/assert";
