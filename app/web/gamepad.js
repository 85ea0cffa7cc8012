// A gamepad moves the camera: the left stick turns it as fast as the stick is
// pushed, the triggers zoom, the first button goes to the chosen preset.

const LOOK_MS = 60; // between looks at the pad: browsers tell of no movement
const STILL = 0.2; // a stick that is let go is not quite at zero
const STEPS = 8; // speeds told apart: not each shiver is an order

const stepped = (v) => (Math.abs(v) < STILL ? 0 : Math.sign(v) * Math.ceil((Math.abs(v) - STILL) / (1 - STILL) * STEPS) / STEPS);

// What the pad wants, in the words of POST ptz; null: nothing
export function wish({ axes, buttons }) {
  const [pan, tilt] = [stepped(axes[0] ?? 0), -stepped(axes[1] ?? 0)];
  const zoom = stepped((buttons[7]?.value ?? 0) - (buttons[6]?.value ?? 0));
  if (!pan && !tilt && !zoom) return null;
  const of = (v, max) => Math.max(1, Math.round(Math.abs(v) * max));
  return { action: 'move', pan: Math.sign(pan), tilt: Math.sign(tilt), zoom: Math.sign(zoom),
    ...(pan && { pan_speed: of(pan, 255) }), ...(tilt && { tilt_speed: of(tilt, 255) }), ...(zoom && { zoom_speed: of(zoom, 15) }) };
}

export class Gamepad {
  // on: { wanted(), move(body), stop(), press() }
  constructor(on) {
    this.on = on;
    this.last = 'null';
    this.pressed = false;
    addEventListener('gamepadconnected', () => { this.timer ??= setInterval(() => this.look(), LOOK_MS); });
  }

  look() {
    const pad = navigator.getGamepads().find(Boolean);
    if (!pad) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
    const want = pad && this.on.wanted() && document.hasFocus() ? wish(pad) : null;
    const text = JSON.stringify(want);
    if (text !== this.last) {
      this.last = text;
      if (want) this.on.move(want);
      else this.on.stop();
    }
    const pressed = Boolean(pad?.buttons[0]?.pressed);
    if (pressed && !this.pressed && this.on.wanted()) this.on.press();
    this.pressed = pressed;
  }
}
