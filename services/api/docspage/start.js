"use strict";
SwaggerUIBundle({
  url: "openapi.yaml",
  dom_id: "#page",
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  validatorUrl: null, // or else the document would be sent elsewhere to be judged
});
