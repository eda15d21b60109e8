// @ts-check

/**
 * Ends the session by this page's own doing: what notices its end meanwhile is not to be surprised.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function leaving(work) {
  document.body.dataset.leaving = "true";
  try {
    return await work();
  } catch (error) {
    delete document.body.dataset.leaving;
    throw error;
  }
}
