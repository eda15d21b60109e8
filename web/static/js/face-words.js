// @ts-check
// What the person is asked to do, and what would help them do it. Left and right are the person's own; the preview is
// a mirror, so that left in it is left for them too.

/** @type {Record<string, string>} */
export const PROMPTS = {
  straight: "Look straight into the camera",
  left: "Turn your head to your left",
  right: "Turn your head to your right",
  blink: "Close both eyes for a moment",
  mouth: "Open your mouth wide",
};

/** @type {Record<string, string>} */
const HINTS = {
  no_face: "We can’t see your face. Bring it into the oval.",
  only_one: "Only you should be in the picture.",
  uncover: "Something hides your face. Take the hand away.",
  center: "Move to the middle of the oval.",
  come_closer: "Come a little closer.",
  move_back: "Move back a little.",
  more_light: "More light on your face, please. Face a lamp or a window.",
  less_light: "That’s very bright. Turn away from the light a little.",
  hold_still: "Hold still.",
  turn_more: "A little further.",
  turn_less: "Not so far. Come back a little.",
  other_side: "The other way, please.",
  straight: "Face the camera.",
};

/** What to say while nothing is amiss: eyes that are open and lips that are closed are no fault yet.
 * @type {Record<string, string>} */
const FINE = {
  straight: "Good. Hold still.",
  left: "Good. Hold it there.",
  right: "Good. Hold it there.",
  blink: "Shut them fully, for about a second.",
  mouth: "A little wider.",
};

/**
 * @param {string} prompt
 * @param {string} hint empty for none
 */
export function help(prompt, hint) {
  return (hint ? HINTS[hint] : FINE[prompt]) ?? "";
}
