/** The error that the promise is rejected with; fails where it is not. */
// biome-ignore lint/suspicious/noExplicitAny: each error class of the client has fields of its own.
export async function errorOf(promise: Promise<unknown>): Promise<any> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}
