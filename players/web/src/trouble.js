// Says in words what stopped the film. An edge's refusal carries its own: a code in the Reelway-Error header, and
// message, detail and remedy in a JSON body.

const text = (id) => document.getElementById(id);

function header(details, name) {
  if (!details) return null;
  if (details.getResponseHeader) return details.getResponseHeader(name);
  return details.headers?.get?.(name) ?? null;
}

function bodyOf(details) {
  try {
    if (details?.responseType === "arraybuffer") return JSON.parse(new TextDecoder().decode(details.response));
    return JSON.parse(details?.responseText ?? details?.response ?? "");
  } catch {
    return null;
  }
}

// An hls.js error event -> {code, message, detail, remedy}.
export function explainHlsError(data) {
  const details = data.networkDetails;
  const status = data.response?.code ?? details?.status ?? 0;
  const told = bodyOf(details)?.error;
  if (told?.code) return { code: told.code, message: sentence(told.message), detail: told.detail, remedy: sentence(told.remedy) };
  const code = header(details, "Reelway-Error");
  if (code) return { code, message: "The edge refused the film.", detail: `Status ${status}.`, remedy: "Look the code up in docs/reference/errors.md." };
  if (data.type === "networkError") {
    return status > 0
      ? { code: `status ${status}`, message: "The edge did not give the film.", detail: data.url ?? "", remedy: "Check the address of the film." }
      : { code: "unreachable", message: "The edge cannot be reached.", detail: data.url ? new URL(data.url).host : "",
        remedy: "Check that the edge runs and that its cors.origins lists this page." };
  }
  return { code: data.details ?? "fault", message: "The film cannot be played here.", detail: data.error?.message ?? data.reason ?? "",
    remedy: "Try another browser; Reelway plays H.264 and AAC." };
}

function sentence(words = "") {
  const trimmed = words.trim();
  return trimmed && `${trimmed[0].toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? "" : "."}`;
}

export class Trouble {
  constructor(onRetry) {
    this.box = text("trouble");
    text("trouble-retry").addEventListener("click", () => {
      this.hide();
      onRetry();
    });
  }

  // An error of the edge, as its JSON body has it.
  tell({ code, message, detail, remedy }) { this.show({ code, message: sentence(message), detail, remedy: sentence(remedy) }); }

  show({ code, message, detail, remedy }) {
    text("trouble-code").textContent = code;
    text("trouble-message").textContent = message;
    text("trouble-detail").textContent = detail ? sentence(detail) : "";
    text("trouble-remedy").textContent = remedy;
    this.box.hidden = false;
    text("stage").classList.add("troubled");
    text("trouble-retry").focus({ preventScroll: true });
  }

  hide() {
    this.box.hidden = true;
    text("stage").classList.remove("troubled");
  }
}
