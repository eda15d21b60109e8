# Two programs: the server, static and without cgo, and the face worker, which needs dlib.

FROM golang:1.26-bookworm AS server
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/sallyport ./cmd/sallyport

FROM golang:1.26-bookworm AS face
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ libdlib-dev libdlib-data libblas-dev liblapack-dev libjpeg62-turbo-dev libturbojpeg0-dev \
        libatlas-base-dev libopenblas0-pthread npm \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# go-face asks for -march=native, which would tie the image to the CPU it was built on. The wrapper makes it x86-64-v3;
# --build-arg PORTABLE_MARCH=x86-64 serves older machines and costs about 5 ms a face.
ARG PORTABLE_MARCH=x86-64-v3
RUN CXX=/src/biometrics/dlib/portable-cxx.sh PORTABLE_MARCH=$PORTABLE_MARCH \
    go build -trimpath -tags dlib -ldflags="-s -w" -o /out/sallyport-face ./cmd/sallyport-face
RUN go run ./biometrics/prepare -dir /out/models -work /tmp/prepare && rm -rf /out/models/samples

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libdlib19.1 libblas3 liblapack3 libjpeg62-turbo libturbojpeg0 libopenblas0-pthread \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --shell /usr/sbin/nologin sallyport
COPY --from=server /out/sallyport /usr/local/bin/
COPY --from=face /out/sallyport-face /usr/local/bin/
COPY --from=face /out/models /usr/share/sallyport/models
# An image whose dlib runs on another BLAS would be up to four times as slow: it is not made.
RUN sallyport-face -models /usr/share/sallyport/models -selfcheck | grep '"name": "openblas"'
ENV SALLYPORT_LISTEN=0.0.0.0:8080 \
    SALLYPORT_FACE_MODELS=/usr/share/sallyport/models \
    SALLYPORT_LOG_FORMAT=json
USER sallyport
EXPOSE 8080
ENTRYPOINT ["sallyport"]
CMD ["serve"]
