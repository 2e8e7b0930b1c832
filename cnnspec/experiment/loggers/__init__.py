"""Optional loggers beside the run's folder: TensorBoard, MLflow, Weights & Biases.

    with Logged(folder, loggers_of(["tensorboard"])) as log:
        log.summary = experiment.run(log)

Each is a `Logger`, of three methods; so is any object that a program gives.
"""
