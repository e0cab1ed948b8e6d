// What a video page keeps on the device by script, under its own origin.
"use strict";
try {
  localStorage.setItem("yt-remote-device-id", crypto.randomUUID());
} catch {
  // A browser that blocks third-party storage throws; the video does not depend on it.
}
