"""Where a scheduler started the processes they find one another by what it left in the environment.

No scheduler is here: two processes get the variables that Slurm and Open MPI set, and JAX's own detection
reads them.
"""

import os
import subprocess
import sys

import pytest
from ports import free_port

pytest.importorskip("jax", reason="the engine on JAX is the extra cnnspec[jax], which is not installed")

ASK = """
import jax
from cnnspec.jax.processes import join, leads
joined = join()
print("ANSWER", joined, leads(), jax.process_index(), jax.process_count(), len(jax.devices()))
"""
SCHEDULERS = {
    "Slurm": {
        "SLURM_JOB_ID": "4711",
        "SLURM_STEP_NODELIST": "localhost,node[001-002]",
        "SLURM_NTASKS": "2",
        "SLURM_PROCID": "{number}",
        "SLURM_LOCALID": "{number}",
    },
    "Open MPI 4": {
        "OMPI_MCA_orte_hnp_uri": "1531576320.0;tcp://127.0.0.1,10.148.0.1:34911",
        "OMPI_COMM_WORLD_SIZE": "2",
        "OMPI_COMM_WORLD_RANK": "{number}",
        "OMPI_COMM_WORLD_LOCAL_RANK": "{number}",
    },
}


def environment(**given):
    """Of a process, without what a scheduler may have left in ours."""
    path = os.pathsep.join([os.getcwd(), *sys.path])
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "OMPI", "KUBE", "JAX"))
    }
    return {**plain, "PYTHONPATH": path, "XLA_FLAGS": "--xla_force_host_platform_device_count=1", **given}


def ask(given):
    """A process that joins with nothing but its environment."""
    return subprocess.Popen(
        [sys.executable, "-c", ASK],
        env=environment(**given), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_processes_of_a_scheduler_meet(scheduler):
    port = free_port()
    started = [
        ask(
            {k: v.format(number=number) for k, v in SCHEDULERS[scheduler].items()}
            | {"JAX_COORDINATOR_PORT": str(port)}
        )
        for number in range(2)
    ]
    try:
        said = [process.communicate(timeout=300) for process in started]
    finally:
        for process in started:
            process.kill()
    answers = [line for out, err in said for line in (out + err).splitlines() if line.startswith("ANSWER")]
    assert answers == ["ANSWER True True 0 2 2", "ANSWER True False 1 2 2"], said


def test_an_indexed_job_of_kubernetes_needs_its_package(monkeypatch):
    """Without the package jax cannot ask Kubernetes for the others; that is said, with what to install."""
    import cnnspec
    from cnnspec.jax import processes

    monkeypatch.setattr(processes, "prepare", lambda devices: None)
    monkeypatch.setattr(processes, "keep_output", lambda: None)
    monkeypatch.setattr(processes, "find_spec", lambda name: None)
    for name, value in {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "JOB_COMPLETION_INDEX": "1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(cnnspec.SpecError) as refused:
        processes.join()
    (finding,) = refused.value.diagnostics
    assert finding.code == "CNN312" and "jax[k8s]" in finding.help


def test_a_coordinator_that_nobody_reaches_ends_the_process_with_words():
    """And not with the dump of a stack, as JAX by itself does."""
    nowhere = f"127.0.0.1:{free_port()}"
    code = f"from cnnspec.jax import processes; processes.PATIENCE = 1; processes.join({nowhere!r}, 2, 1)"
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment(), text=True, capture_output=True, timeout=300
    )
    why = f"the processes of the run could not meet: not all of them came to {nowhere} within 1 seconds"
    assert ended.returncode == 1 and f"error[CNN312]: {why}" in ended.stderr and "stack trace" not in ended.stderr


def test_alone_without_a_scheduler(monkeypatch):
    from cnnspec.jax import processes

    for name in processes.MANAGED:
        monkeypatch.delenv(name, raising=False)
    assert processes.join() is False
