// The camera, where there is one: asked for by a press, looked at picture by picture until the next press.

const camera = { stream: null, frame: 0, before: null };
const EVERY = 100; // milliseconds from one picture to the next

// What is wrong, by the name of the browser's error.
const REFUSED = {
  NotAllowedError: "the camera was not allowed; a browser asks once, its settings for this page can change it",
  NotFoundError: "there is no camera here",
  NotReadableError: "the camera is taken by another program",
  OverconstrainedError: "there is no camera here that gives such pictures",
  AbortError: "the camera did not start",
};

function startCamera() {
  byId("camera").addEventListener("click", () => (camera.stream ? stopCamera(true) : openCamera()));
  window.addEventListener("pagehide", () => stopCamera(false));
}

async function openCamera() {
  const note = byId("fitted"), video = byId("seen-by-camera");
  if (!navigator.mediaDevices?.getUserMedia) {
    note.textContent = "This browser gives a page from here no camera: it wants one from the file system or from https.";
    return;
  }
  byId("camera").disabled = true;
  try {
    camera.stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "environment" } });
    video.srcObject = camera.stream;
    await video.play();
  } catch (problem) {
    stopCamera(false);
    note.textContent = `No picture: ${REFUSED[problem.name] || problem.message}.`;
    return;
  } finally {
    byId("camera").disabled = false;
  }
  camera.stream.getVideoTracks()[0].addEventListener("ended", () => stopCamera(false));
  camera.before = chosen.example;
  video.hidden = false;
  byId("camera").textContent = "hold this picture";
  camera.frame = window.setInterval(() => {
    if (video.videoWidth) askAbout(pixelsOfPicture(video, video.videoWidth, video.videoHeight), "what the camera sees");
  }, EVERY);
}

// Let go of the camera; the picture that was looked at last stays, and can be undone.
function stopCamera(keep) {
  window.clearInterval(camera.frame);
  for (const track of camera.stream?.getTracks() || []) track.stop();
  Object.assign(camera, { stream: null, frame: 0 });
  byId("seen-by-camera").srcObject = null;
  byId("seen-by-camera").hidden = true;
  byId("camera").textContent = "camera";
  const { before } = camera;
  if (keep && before && chosen.wanted !== before) keepStep("a picture of the camera", () => showExample(before));
}
