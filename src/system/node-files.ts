/**
 * Node's module for files, loaded when it is first needed: the single file's runtime takes longer to load it than most
 * commands read.
 */
export const nodeFiles = () => process.getBuiltinModule("node:fs");
