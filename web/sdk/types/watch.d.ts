/**
 * Follows the session of this page as long as the page is open.
 * @param {string} origin Sallyport's
 * @param {() => void} over told once
 * @returns {() => void} ends it
 */
export function follow(origin: string, over: () => void): () => void;
