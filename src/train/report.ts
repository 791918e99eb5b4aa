/** The page of a run. */
export async function writeReport(_folder: string): Promise<void> {}
