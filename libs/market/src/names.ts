/** Name and version of a model: `reversion-2`. */
export type Model = string;
