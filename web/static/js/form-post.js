// @ts-check
/** @type {HTMLFormElement} */ (document.querySelector("[data-form-post]")).submit();
